"""What stands around every page: navigation, server, opening by link."""
