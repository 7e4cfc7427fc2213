"""How the models, scans and cohort in ``assets/`` are made."""
