//! The flat artifact: a snapshot compiled to typed slots that inline code reads.
