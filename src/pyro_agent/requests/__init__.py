"""Requests over the line in both directions: how they come and go, what every verb is made of, and what all verbs share."""
