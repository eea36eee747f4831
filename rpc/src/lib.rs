//! WebSocket and HTTP JSON-RPC in the envelope of Xahau: wire types, methods, server, client.
