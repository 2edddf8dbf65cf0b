"""The fault test: real processes are killed, frozen and crashed; nothing is lost or doubled."""
