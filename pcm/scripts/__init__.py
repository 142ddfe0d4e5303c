"""An experiment that is a script of the user's own: started, followed and ended; no torch."""
