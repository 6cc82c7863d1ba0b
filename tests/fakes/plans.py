"""Plans of one story: six that lead to different places, and one that is another in other words."""

from core.domain.story import Plan

DOWN = Plan("Down the iron stair", "Mira follows the humming below the tide line.")
DOWN_AGAIN = Plan("Down the iron stairs", "Mira follows the humming below the tideline.")
BOOK = Plan("The keeper's ledger", "Corvin reads the page that nobody signed.")
FERRY = Plan("Signal the ferry", "They light the great lamp by hand, against the law.")
FOX = Plan("A fox on the gallery", "Something small and red has come up from outside.")
FLOOD = Plan("Open the sluice", "The whole cellar is given to the water at once.")
BARGAIN = Plan("Ask a price", "Whoever hums is asked what it would take to stop.")
