// isomorphic-ws takes its types from @types/ws, which would let Node's types into src/. The client uses
// only the WebSocket API that all runtimes share.
declare const WebSocketImpl: typeof WebSocket;
export default WebSocketImpl;
