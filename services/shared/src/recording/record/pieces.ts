/** A record's type has six bits. The other two say that the record is one piece of a larger one. */
export const pieceFlags = { moreFollow: 0x80, continues: 0x40 } as const;
export const typeMask = 0x3f;
