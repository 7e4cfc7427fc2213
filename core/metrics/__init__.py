"""What can be measured of a map: where it is, how like another it is, whether it means anything."""
