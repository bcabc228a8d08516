"""Answers and errors as a model reads them."""
