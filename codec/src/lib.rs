//! Xahau's binary format: fields, types, reader, writer, JSON forms, hashes, keys.
