"""Partners: the people and companies that one deals with. Also what a module of one's own looks like.

`app.py` says what the module is and who may do what with it, as data. `models/` has one table a file. The API
under /api/partners and /api/partner_categories is made from the models.
"""
