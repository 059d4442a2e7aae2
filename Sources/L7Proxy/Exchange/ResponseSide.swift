internal import HTTPScan

/// The responses of a connection's server, without I/O.
struct ResponseSide {
    private enum State {
        case idle
        /// Behind so many interim responses.
        case head(ResponseHeadScanner, method: RequestHead.Method, upgrade: RequestHead.Upgrade, interims: Int)
        case body(BodyScanner)
        case tunnel
    }

    /// What to do with the bytes that a step was given.
    enum Step {
        /// More are needed.
        case needMore
        /// So many may be forwarded; whether the response ends with them.
        case forward(Int, ends: Bool)
        /// A head of so many bytes, which may be forwarded; whether the response ends with it.
        case head(ResponseHead, ends: Bool)
        /// Not to be forwarded.
        case refuse(ResponseFault)
    }

    private let limits: ScanLimits
    private var state = State.idle

    init(limits: ScanLimits) { self.limits = limits }

    /// Whether no response is expected or under way.
    var isIdle: Bool {
        switch state {
        case .idle: true
        case .head, .body, .tunnel: false
        }
    }

    /// Whether the bytes are another protocol's.
    var isTunnel: Bool {
        switch state {
        case .tunnel: true
        case .idle, .head, .body: false
        }
    }

    /// Whether a body goes on to the end of the connection.
    var endsWithConnection: Bool {
        switch state {
        case .body(let scanner): scanner.endsWithConnection
        case .idle, .head, .tunnel: false
        }
    }

    /// The response to this request is next.
    mutating func expect(_ method: RequestHead.Method, offering upgrade: RequestHead.Upgrade) {
        expect(method, offering: upgrade, interims: 0)
    }

    private mutating func expect(
        _ method: RequestHead.Method, offering upgrade: RequestHead.Upgrade, interims: Int
    ) {
        state = .head(
            ResponseHeadScanner(answering: method, offering: upgrade, limits: limits), method: method, upgrade: upgrade,
            interims: interims)
    }

    /// The body went on to the end of the connection.
    mutating func ended() { state = .idle }

    /// Takes the next step. `bytes` begin with the first that no step has taken.
    mutating func step(_ bytes: Span<UInt8>) -> Step {
        guard !bytes.isEmpty else { return .needMore }
        switch state {
        case .idle: return .refuse(.unasked)
        case .tunnel: return .forward(bytes.count, ends: false)
        case .head(var scanner, let method, let upgrade, let interims):
            do throws(Refusal) {
                let progress = try scanner.scan(bytes)
                switch progress {
                case .needMore:
                    state = .head(scanner, method: method, upgrade: upgrade, interims: interims)
                    return .needMore
                case .head(let head):
                    if head.isInterim {
                        guard interims < limits.interims else {
                            state = .idle
                            return .refuse(.interims)
                        }
                        expect(method, offering: upgrade, interims: interims + 1)
                        return .head(head, ends: false)
                    }
                    if head.switchesProtocol {
                        state = .tunnel
                        return .head(head, ends: false)
                    }
                    let body = BodyScanner(head.framing, limits: limits)
                    state = body.isComplete ? .idle : .body(body)
                    return .head(head, ends: body.isComplete)
                }
            } catch {
                state = .idle
                return .refuse(.refused(error))
            }
        case .body(var scanner):
            do throws(Refusal) {
                let count = try scanner.take(bytes)
                state = scanner.isComplete ? .idle : .body(scanner)
                return count > 0 ? .forward(count, ends: scanner.isComplete) : .needMore
            } catch {
                state = .idle
                return .refuse(.refused(error))
            }
        }
    }
}
