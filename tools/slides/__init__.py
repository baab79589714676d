"""Slides: one deck per chapter, made of what the chapter's built page shows, presented by reveal.js."""
