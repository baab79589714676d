"""The built book on paper, `make pdf`: its pages in one document, which Chromium lays out."""
