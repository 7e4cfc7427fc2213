"""Volumes in the browser: which are kept."""

import pytest


@pytest.mark.browser
def test_the_browser_lets_go_of_the_volumes_used_the_longest_ago(script):
    kept = script("""
      const { keep, cached } = await load("space/volumes.js");
      for (const digest of ["a", "b", "c"]) keep({ digest, bytes: 120 * 2 ** 20 });
      cached("a");
      keep({ digest: "d", bytes: 120 * 2 ** 20 });
      return ["a", "b", "c", "d"].filter((digest) => cached(digest));
    """)
    assert kept == ["a", "c", "d"]
