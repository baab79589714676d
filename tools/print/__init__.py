"""The built book on paper and as EPUB: its pages in one document, which Chromium typesets."""
