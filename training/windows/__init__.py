"""The past seen as of dates: panels, levels, the horizons, and how far outcomes lie off."""
