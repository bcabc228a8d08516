"""Text as files have it: quoted names, and the place somebody probably meant."""
