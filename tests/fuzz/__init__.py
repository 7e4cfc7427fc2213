"""Readers given damaged files by the thousand: each is read or refused in a sentence, soon and in little memory."""
