import NIOCore
import Synchronization

/// What tests change while the server runs, and what the server knows of its connections.
final class ServerControl: Sendable {
    struct State {
        var settings: ServerSettings
        var identities: APIRouter.Identities
        var faults: [Fault] = []
        /// Nothing is sent any more, on any connection.
        var isSilent = false
        var connections: [ObjectIdentifier: Connection] = [:]
        var requests: [String] = []
    }

    let state: Mutex<State>
    let store: ClusterStore

    init(_ settings: ServerSettings) {
        state = Mutex(
            State(
                settings: settings,
                identities: APIRouter.Identities(tokens: settings.tokens, certificates: settings.certificates)))
        store = ClusterStore(
            ClusterState(
                resources: settings.resources, version: settings.firstVersion, historyLimit: settings.historyLimit))
    }

    /// Notes a request, and takes the fault that it meets.
    func fault(method: String, uri: String, isWatch: Bool) -> Fault.Kind? {
        state.withLock { state in
            state.requests.append("\(method) \(uri)")
            if state.requests.count > 10_000 { state.requests.removeFirst(5_000) }
            guard let index = state.faults.firstIndex(where: { $0.concerns(uri, isWatch: isWatch) }) else { return nil }
            if let times = state.faults[index].times { state.faults[index].times = times - 1 }
            return state.faults[index].kind
        }
    }

    var isSilent: Bool { state.withLock { $0.isSilent } }

    var settings: ServerSettings { state.withLock { $0.settings } }

    var router: APIRouter {
        APIRouter(store: store, identities: state.withLock { $0.identities }, now: { ServerClock.now })
    }

    var connections: [Connection] { state.withLock { Array($0.connections.values) } }

    func add(_ connection: Connection) { state.withLock { $0.connections[ObjectIdentifier(connection)] = connection } }

    func remove(_ connection: Connection) { state.withLock { $0.connections[ObjectIdentifier(connection)] = nil } }
}
