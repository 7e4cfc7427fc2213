"""What recipes share: loops, batches, augmentation, evaluation."""
