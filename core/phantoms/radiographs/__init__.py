"""Drawn radiographs of eight anatomies."""
