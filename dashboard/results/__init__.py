"""The middle of any page: images, answers, filters, landmarks, what leaves."""
