"""What lists show of runs and scans: words, small pictures, and files of several at once."""
