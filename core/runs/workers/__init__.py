"""Workers: where runs execute. All keep the contract of `core.runs.workers.base.Worker`."""
