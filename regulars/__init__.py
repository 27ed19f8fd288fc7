"""The front door: reads `regulars.toml`, hands each room its part, and is the command line."""
