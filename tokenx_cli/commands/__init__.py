"""The commands of `tokenx`, one file for each family. They parse words and print; the work is done elsewhere."""
