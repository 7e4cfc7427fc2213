"""How things look: words, colours, figures, pictures."""
