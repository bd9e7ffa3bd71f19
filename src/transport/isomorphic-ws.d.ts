// isomorphic-ws declares itself through @types/ws, which would let Node's types into src/. What the
// client uses of it is the WebSocket that every runtime shares.
declare const WebSocketImpl: typeof WebSocket;
export default WebSocketImpl;
