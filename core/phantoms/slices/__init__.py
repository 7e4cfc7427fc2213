"""Pairs of slices, T1 and T2 or MR and CT, of the MNI152 template."""
