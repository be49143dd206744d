//! What a ledger's records are called by.

tidebook_book::id_newtypes! {
    /// Names a contact within its book.
    ContactId;
    /// Names a transaction within its book.
    TransactionId;
    /// Names a conflict: what one op raised about one field group.
    ConflictId;
}
