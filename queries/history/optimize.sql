-- Joins the small files of `history`, and drops from them the rows that were replaced or removed.
OPTIMIZE history REWRITE DATA USING BIN_PACK
