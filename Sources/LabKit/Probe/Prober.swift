import CLinux
import Datapath
import Glibc
import NetTypes
import SystemPackage

/// Runs many probes at a time in one event loop.
public final class Prober {
    /// How long an answer may take. Only time in which nothing happened counts: a slow machine is not a silent one.
    public var patience: Duration = .milliseconds(300)
    /// How many probes are under way at a time.
    public var width = 768

    private let loop: EventLoop
    private let clock = ContinuousClock()
    private var underway: [Int: Attempt] = [:]
    /// Numbers of attempts in order of their deadlines; all wait equally long.
    private var deadlines: [(number: Int, at: ContinuousClock.Instant)] = []
    /// When the loop last had something to do.
    private var lastBusy = ContinuousClock.now
    private var nextNumber = 0

    /// A prober on a loop, which may serve responders too.
    public init(loop: EventLoop) { self.loop = loop }

    private struct Attempt {
        var probe: Int
        var socket: ProbeSocket
        var retriesLeft: Int
        /// What is tried now: the probe itself, the same over TCP, or what follows it.
        var step: Probe
    }

    /// Runs the probes and returns one outcome for each, in order. `progress` is called often with how many are done; what
    /// it throws stops the run.
    public func run(_ probes: [Probe], progress: (Int) throws -> Void = { _ in }) throws -> [ProbeOutcome] {
        var outcomes = [ProbeOutcome?](repeating: nil, count: probes.count)
        var waiting = probes.indices.map { (probe: $0, retries: probes[$0].retries) }
        waiting.reverse()
        var finished: [(number: Int, outcome: ProbeOutcome)] = []
        var done = 0
        defer { abandon() }

        while done < probes.count {
            if underway.count <= width / 2, !waiting.isEmpty {
                let batch = Array(waiting.suffix(width - underway.count).reversed())
                waiting.removeLast(batch.count)
                try start(batch, of: probes) { finished.append(($0, $1)) }
                lastBusy = clock.now
            }
            if finished.isEmpty {
                if loop.turn(atMost: timeToDeadline()) {
                    lastBusy = clock.now
                } else {
                    expire { finished.append(($0, $1)) }
                }
            }
            let ended = finished
            finished.removeAll(keepingCapacity: true)
            for (number, outcome) in ended {
                guard let attempt = underway.removeValue(forKey: number) else { continue }
                loop.forget(attempt.socket.descriptor)
                attempt.socket.closeAbruptly()
                if let next = Prober.step(after: attempt.step, outcome) {
                    let socket = try next.namespace.run {
                        try ProbeSocket(next.protocol, isIPv4: next.source.isIPv4)
                    }
                    try begin(next, socket, probe: attempt.probe, retries: attempt.retriesLeft) {
                        finished.append(($0, $1))
                    }
                } else if outcome == .silent, attempt.retriesLeft > 0 {
                    waiting.append((attempt.probe, attempt.retriesLeft - 1))
                } else {
                    outcomes[attempt.probe] = outcome
                    done += 1
                }
            }
            try progress(done)
        }
        return outcomes.map { $0 ?? .silent }
    }

    /// What a probe goes on with.
    private static func step(after probe: Probe, _ outcome: ProbeOutcome) -> Probe? {
        switch outcome {
        case .resolved(let addresses): return probe.follow?(addresses)
        case .truncated:
            // As resolvers do.
            var next = probe
            next.protocol = .tcp
            return next
        case .answered, .denied, .refused, .unreachable, .silent: return nil
        }
    }

    private func abandon() {
        for attempt in underway.values { loop.forget(attempt.socket.descriptor) }
        underway.removeAll()
        deadlines.removeAll()
    }

    /// Opens the sockets, namespace by namespace, and sends the first packets.
    private func start(
        _ batch: [(probe: Int, retries: Int)], of probes: [Probe], finish: @escaping (Int, ProbeOutcome) -> Void
    ) throws {
        var byNamespace: [ObjectIdentifier: [(probe: Int, retries: Int)]] = [:]
        for item in batch { byNamespace[ObjectIdentifier(probes[item.probe].namespace), default: []].append(item) }
        for items in byNamespace.values {
            guard let first = items.first else { continue }
            let sockets = try probes[first.probe].namespace.run {
                try items.map { item in
                    let probe = probes[item.probe]
                    return try ProbeSocket(probe.protocol, isIPv4: probe.source.isIPv4)
                }
            }
            for (item, socket) in zip(items, sockets) {
                try begin(probes[item.probe], socket, probe: item.probe, retries: item.retries, finish: finish)
            }
        }
    }

    private func begin(
        _ probe: Probe, _ socket: ProbeSocket, probe index: Int, retries: Int,
        finish: @escaping (Int, ProbeOutcome) -> Void
    ) throws {
        let number = nextNumber
        nextNumber += 1
        underway[number] = Attempt(probe: index, socket: socket, retriesLeft: retries, step: probe)
        deadlines.append((number, clock.now + patience))
        try send(probe, socket) { finish(number, $0) }
    }

    private func send(_ probe: Probe, _ socket: ProbeSocket, finish: @escaping (ProbeOutcome) -> Void) throws {
        try socket.bind(probe.source, port: 0)
        if let failure = socket.connect(probe.destination, port: probe.protocol.isICMP ? 0 : probe.port) {
            return finish(Prober.outcome(of: failure))
        }
        let descriptor = socket.descriptor
        if probe.request.isSpoken { return try speak(Conversation(probe), socket, finish: finish) }
        if probe.protocol == .tcp {
            // The responder speaks first; an answer shows more than a handshake that the kernel does alone.
            try loop.watch(descriptor, for: .readable) { [unowned socket] _ in
                if let outcome = Prober.read(socket) { finish(outcome) }
            }
            return
        }
        try loop.watch(descriptor, for: .readable) { [unowned socket] _ in
            if let outcome = probe.protocol.isICMP ? Prober.readEcho(socket) : Prober.read(socket) {
                finish(outcome)
            }
        }
        socket.send(probe.protocol.isICMP ? Prober.echoRequest(probe) : Array("netpold?".utf8))
    }

    /// Sends what a conversation begins with as soon as there is a connection, and reads until its outcome is known.
    private func speak(
        _ conversation: Conversation, _ socket: ProbeSocket, finish: @escaping (ProbeOutcome) -> Void
    ) throws {
        let descriptor = socket.descriptor
        var conversation = conversation
        func read() {
            while true {
                let received = socket.receive()
                if received == .failure(.wouldBlock) { return }
                if let outcome = conversation.take(received) { return finish(outcome) }
            }
        }
        guard conversation.isTCP else {
            try loop.watch(descriptor, for: .readable) { _ in read() }
            return socket.send(conversation.opening)
        }
        try loop.watch(descriptor, for: .writable) { [loop] _ in
            if let failure = socket.connectFailure { return finish(Prober.outcome(of: failure)) }
            socket.send(conversation.opening)
            do { try loop.watch(descriptor, for: .readable) { _ in read() } } catch { finish(.silent) }
        }
    }

    private func timeToDeadline() -> Int32 {
        guard let next = deadlines.first else { return 0 }
        let left = max(next.at, lastBusy + patience) - clock.now
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
        return Int32(max(0, min(milliseconds + 1, 100)))
    }

    private func expire(_ finish: (Int, ProbeOutcome) -> Void) {
        let now = clock.now
        guard lastBusy + patience <= now else { return }
        let expired = deadlines.prefix { $0.at <= now }
        for deadline in expired where underway[deadline.number] != nil { finish(deadline.number, .silent) }
        deadlines.removeFirst(expired.count)
    }

    static func outcome(of failure: Errno) -> ProbeOutcome {
        failure == .connectionRefused || failure == .connectionReset ? .refused : .unreachable(failure)
    }

    /// The outcome that a readable socket shows, `nil` when there is nothing to read after all.
    private static func read(_ socket: ProbeSocket) -> ProbeOutcome? {
        switch socket.receive() {
        case .success(let bytes):
            let text = String(decoding: bytes, as: UTF8.self)
            guard text.hasPrefix(Responder.greeting), text.hasSuffix("\n") else {
                return .answered(by: Responder.nobody)
            }
            return .answered(by: String(text.dropFirst(Responder.greeting.count).dropLast()))
        case .failure(let failure):
            return failure == .wouldBlock ? nil : outcome(of: failure)
        }
    }

    private static func readEcho(_ socket: ProbeSocket) -> ProbeOutcome? {
        switch socket.receive() {
        case .success: return .answered(by: "")
        case .failure(let failure): return failure == .wouldBlock ? nil : outcome(of: failure)
        }
    }

    /// An ICMP echo request; identifier and checksum are the kernel's to fill in.
    private static func echoRequest(_ probe: Probe) -> [UInt8] {
        [probe.protocol == .icmp ? 8 : 128, 0, 0, 0, 0, 0, 0, 1]
    }
}
