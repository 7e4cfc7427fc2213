"""Grey-matter maps with planted atrophy, of the MNI152 template."""
