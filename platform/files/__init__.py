"""The one way in for files: what is opened, how far it is read, and how its text is understood."""
