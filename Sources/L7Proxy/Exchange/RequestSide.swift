internal import HTTPScan

/// The requests of a connection, without I/O: what may be done with the bytes that its client sent.
struct RequestSide {
    private enum State {
        case head(RequestHeadScanner)
        case body(BodyScanner, isDiscarded: Bool, isLast: Bool)
        /// An offer of another protocol was forwarded; what follows depends on the answer.
        case waiting
        case tunnel
        case ended
    }

    /// What to do with the bytes that a step was given.
    enum Step {
        /// More are needed.
        case needMore
        /// So many may be forwarded.
        case forward(Int)
        /// So many belong to a request that is not forwarded.
        case discard(Int)
        /// A head is complete. `accept` or `discard` must be called before the next step; none of its bytes is taken yet.
        case head(RequestHead)
        /// Nothing may be read now.
        case wait
        /// Never forward anything more.
        case refuse(Refusal)
        /// The client speaks HTTP/2.
        case http2
    }

    private let limits: ScanLimits
    private var state: State
    /// Whether a request that was forwarded in part never comes to its end.
    private(set) var isCut = false

    init(limits: ScanLimits) {
        self.limits = limits
        state = .head(RequestHeadScanner(limits: limits))
    }

    /// Whether the bytes so far end between two requests.
    var isBetweenRequests: Bool {
        switch state {
        case .head(let scanner): scanner.isAtStart
        case .ended, .waiting: true
        case .body, .tunnel: false
        }
    }

    /// Whether a head has begun and is not complete.
    var isInHead: Bool {
        switch state {
        case .head(let scanner): !scanner.isAtStart
        case .body, .waiting, .tunnel, .ended: false
        }
    }

    /// Whether what comes next is a head, or more of one.
    var expectsHead: Bool {
        switch state {
        case .head: true
        case .body, .waiting, .tunnel, .ended: false
        }
    }

    /// Whether the last request was taken to its end.
    var hasWholeRequest: Bool {
        switch state {
        case .head, .waiting, .ended, .tunnel: true
        case .body: false
        }
    }

    /// Whether what follows depends on an answer.
    var isWaiting: Bool {
        switch state {
        case .waiting: true
        case .head, .body, .tunnel, .ended: false
        }
    }

    /// Takes the next step. `bytes` begin with the first that no step has taken.
    mutating func step(_ bytes: Span<UInt8>) -> Step {
        switch state {
        case .waiting: return .wait
        case .ended: return bytes.isEmpty ? .needMore : .discard(bytes.count)
        case .tunnel: return bytes.isEmpty ? .needMore : .forward(bytes.count)
        case .head(var scanner):
            do throws(Refusal) {
                let progress = try scanner.scan(bytes)
                switch progress {
                case .needMore:
                    state = .head(scanner)
                    return .needMore
                case .head(let head): return .head(head)
                case .http2:
                    state = .ended
                    return .http2
                }
            } catch {
                state = .ended
                return .refuse(error)
            }
        case .body(var scanner, let isDiscarded, let isLast):
            do throws(Refusal) {
                let count = try scanner.take(bytes)
                if scanner.isComplete {
                    begin(afterLast: isLast)
                } else {
                    state = .body(scanner, isDiscarded: isDiscarded, isLast: isLast)
                }
                guard count > 0 else { return .needMore }
                return isDiscarded ? .discard(count) : .forward(count)
            } catch {
                state = .ended
                isCut = !isDiscarded
                return .refuse(error)
            }
        }
    }

    /// The request of this head is forwarded, or its body is thrown away. `isLast`: no request follows it. `headerNames`: of fields that its
    /// trailers may not have (`FlowRules.headerNames`).
    mutating func take(_ head: RequestHead, isDiscarded: Bool, isLast: Bool, headerNames: [[UInt8]]) {
        if head.upgrade == .webSocket, !isDiscarded {
            state = .waiting
            return
        }
        let body = BodyScanner(head.framing, limits: limits, headerNames: headerNames)
        if body.isComplete {
            begin(afterLast: isLast)
        } else {
            state = .body(body, isDiscarded: isDiscarded, isLast: isLast)
        }
    }

    /// The offer of another protocol was answered.
    mutating func answered(switches: Bool, isLast: Bool) {
        guard case .waiting = state else { return }
        if switches { state = .tunnel } else { begin(afterLast: isLast) }
    }

    /// Nothing more is taken.
    mutating func end() {
        if case .body(_, let isDiscarded, _) = state { isCut = isCut || !isDiscarded }
        state = .ended
    }

    private mutating func begin(afterLast isLast: Bool) {
        state = isLast ? .ended : .head(RequestHeadScanner(limits: limits))
    }
}
