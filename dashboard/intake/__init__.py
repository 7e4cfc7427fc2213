"""The left side of any page: scans, models, explainers, parameters."""
