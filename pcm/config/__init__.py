"""Config files: read with their lines, checked to the last key, changed and identified.

No torch here: the login node has none.
"""
