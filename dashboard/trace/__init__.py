"""The Trace page: paint on one side of a model, see on the other what goes there or comes from there."""
