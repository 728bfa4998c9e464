"""`python -m lstmadvisor.schemas` writes the schemas anew."""

from lstmadvisor.schemas import write

write()
