"""Figures for print: panels as they hang on screen, with legend, scale bar, letters of orientation and caption."""
