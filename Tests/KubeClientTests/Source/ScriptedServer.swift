import Agent
import KubeClient
import NIOCore
import Synchronization

@testable import KubeObjects

/// Answers with the texts that a test gives; of every other kind there is nothing, and its watches are quiet.
final class ScriptedServer: KubeTransport {
    private struct State {
        /// What lists of a plural say, one after the other, the last one again and again.
        var lists: [String: [String]] = [:]
        /// What its watches say, one after the other, before they are quiet.
        var watches: [String: [String]] = [:]
        /// How many lists were asked for.
        var listed: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// From now on lists and watches of a plural say this.
    func answer(_ plural: String, lists: [String], watches: [String] = []) {
        state.withLock { state in
            state.lists[plural] = lists
            state.watches[plural] = watches
        }
    }

    /// How many lists of a plural were asked for.
    func lists(of plural: String) -> Int { state.withLock { $0.listed[plural, default: 0] } }

    /// A list.
    static func list(_ kind: String, _ apiVersion: String, _ items: [String]) -> String {
        let head = #""kind":"\#(kind)","apiVersion":"\#(apiVersion)","metadata":{"resourceVersion":"9"}"#
        return #"{\#(head),"items":[\#(items.joined(separator: ","))]}"#
    }

    func send<Result: Sendable>(
        _ request: KubeRequest, _ read: @Sendable (KubeResponse) async throws(RequestFailure) -> Result
    ) async throws(RequestFailure) -> Result {
        let path = String(request.target.prefix { $0 != "?" })
        let plural = path.split(separator: "/").last.map(String.init) ?? ""
        guard !request.target.contains("watch=1") else {
            let text = state.withLock { state -> String in
                guard let first = state.watches[plural]?.first else { return "" }
                state.watches[plural]?.removeFirst()
                return first
            }
            return try await read(KubeResponse(status: 200, body: Self.body(text, isOpen: true)))
        }
        let text = state.withLock { state -> String in
            state.listed[plural, default: 0] += 1
            guard let first = state.lists[plural]?.first else { return Self.nothing(path) }
            if (state.lists[plural]?.count ?? 0) > 1 { state.lists[plural]?.removeFirst() }
            return first
        }
        return try await read(KubeResponse(status: 200, body: Self.body(text, isOpen: false)))
    }

    func reloadCredentials() async {}
    func renewConnections() async {}

    /// The empty list of a path.
    private static func nothing(_ path: String) -> String {
        for kind in ObjectKind.allCases {
            for place in kind.places where place.path == path {
                return list("\(kind.rawValue)List", place.apiVersion, [])
            }
        }
        return list("CustomResourceDefinitionList", "apiextensions.k8s.io/v1", [])
    }

    /// A text, and then the end, or nothing for a long time.
    private static func body(_ text: String, isOpen: Bool) -> KubeResponse.Body {
        KubeResponse.Body {
            var rest: ByteBuffer? = text.isEmpty ? nil : ByteBuffer(string: text)
            return KubeResponse.Reader { () async throws(RequestFailure) in
                if let bytes = rest {
                    rest = nil
                    return bytes
                }
                guard isOpen else { return nil }
                try? await Task.sleep(for: .seconds(3600))
                throw RequestFailure.connection("given up")
            }
        }
    }
}
