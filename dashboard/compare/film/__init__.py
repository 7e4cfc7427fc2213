"""Several networks on one film."""
