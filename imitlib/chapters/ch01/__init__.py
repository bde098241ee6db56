"""Chapter 01, experts and demonstrations: what its page runs, draws and claims."""

from imitlib.chapters.ch01 import belief, on_paper, trying, wishes

CLAIMS = [*trying.CLAIMS, *wishes.CLAIMS]
GIVEN = on_paper.GIVEN | trying.GIVEN | wishes.GIVEN | belief.GIVEN
