"""The status page: what works and what does not, decided by asking, and how old the answer is.

Each site asks every service at every site (`lookout`), folds the answers so that one lost packet is no outage
(`track`), and puts what it sees where the other sites can read it (`ledger`). The page at each site is made
from what all of them see (`board`): where nothing fresh was seen the answer is "unknown", never green.
"""

from amalthea.services.status.service import Status
from amalthea.services.status.settings import Settings

__all__ = ["Settings", "Status"]
