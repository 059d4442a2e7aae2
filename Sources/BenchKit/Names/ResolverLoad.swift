import Foundation
import Glibc
import LabKit
import NetTypes
import Support
import Synchronization

/// Sockets of the client's pod that ask one after the other, at an even pace, and a thread that takes the answers. When a query was sent is
/// in its name, which the answer repeats.
final class ResolverLoad {
    private let rate: Int
    private let seconds: Int
    private let sockets: [Int32]
    private let network: NamesBenchNetwork
    private let check: () throws -> Void

    /// Sockets that ask `rate` queries a second for so many seconds; `check` is called at each, and what it throws ends a measurement.
    init(_ network: NamesBenchNetwork, rate: Int, seconds: Int, check: @escaping () throws -> Void) throws {
        self.network = network
        self.check = check
        self.rate = rate
        self.seconds = seconds
        guard let namespace = network.routed.pods["client"] else { throw SystemError("find namespace", "client", nil) }
        sockets = try namespace.run {
            try (0..<NamesBench.resolvers).map { _ in
                let made = try ResolverLoad.bound(to: NamesBenchNetwork.client, port: 0)
                let status = ResolverLoad.with(NamesBenchNetwork.resolver, NamesBenchNetwork.port) {
                    connect(made, $0, $1)
                }
                guard status == 0 else { throw NetLoad.refused("connect") }
                return made
            }
        }
    }

    deinit { for socket in sockets { close(socket) } }

    /// One measurement.
    func run() throws -> NamesBenchReport.Latency {
        let resolver = try EchoResolver(network)
        defer { resolver.stop() }
        // What the first packets of sockets cost is not the question.
        _ = try ask(count: 2 * sockets.count)
        let before = ResolverLoad.cpuTime()
        let begin = MonotonicClock.nanoseconds
        let (latencies, sent) = try ask(count: rate * seconds)
        let wall = Double(MonotonicClock.nanoseconds - begin)
        let used = Double(ResolverLoad.cpuTime() - before)
        guard let median = latencies.quantile(0.5), let high = latencies.quantile(0.99) else {
            throw SystemError("ask", "the bench's resolver", nil, detail: "no query was answered")
        }
        return NamesBenchReport.Latency(
            median: Double(median) / 1000, high: Double(high) / 1000, answers: latencies.count,
            lost: sent - latencies.count, load: used / wall / Double(ProcessInfo.processInfo.activeProcessorCount))
    }

    /// Nanoseconds that each answer took, and how many were asked for.
    private func ask(count: Int) throws -> (latencies: [UInt64], sent: Int) {
        let reader = try AnswerReader(sockets)
        var isRead = false
        defer { if !isRead { _ = reader.stop() } }
        let pause = UInt64(1_000_000_000 / rate)
        let begin = MonotonicClock.nanoseconds
        var sent = 0
        for number in 0..<count {
            try check()
            ResolverLoad.sleep(until: begin + UInt64(number) * pause)
            let query = DNSMessage.query(
                "\(String(MonotonicClock.nanoseconds, radix: 16)).example.com", isIPv4: true,
                id: UInt16(truncatingIfNeeded: number))
            if send(sockets[number % sockets.count], query, query.count, 0) == query.count { sent += 1 }
        }
        // What is on its way.
        usleep(200_000)
        isRead = true
        return (reader.stop(), sent)
    }

    // MARK: system calls

    private static func sleep(until moment: UInt64) {
        var time = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
        // TIMER_ABSTIME
        clock_nanosleep(CLOCK_MONOTONIC, 1, &time, nil)
    }

    /// Of all threads of this process; with the softirqs that run in them.
    private static func cpuTime() -> UInt64 {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + UInt64($1.tv_sec) * 1_000_000_000 + UInt64($1.tv_usec) * 1000
        }
    }

    /// A datagram socket at an address of the calling thread's namespace.
    static func bound(to address: IPAddress, port: UInt16) throws -> Int32 {
        let made = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw NetLoad.refused("socket") }
        guard with(address, port, { bind(made, $0, $1) }) == 0 else {
            let error = NetLoad.refused("bind")
            close(made)
            throw error
        }
        return made
    }

    private static func with(
        _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var end = sockaddr_in()
        end.sin_family = sa_family_t(AF_INET)
        end.sin_port = port.bigEndian
        end.sin_addr.s_addr = (address.ipv4 ?? 0).bigEndian
        return withUnsafePointer(to: &end) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

/// Takes the answers of many sockets on a thread of its own.
private final class AnswerReader: Sendable {
    private static let firstLabel = 12
    private let isStopped = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)
    private let latencies = Mutex<[UInt64]>([])

    /// Takes what comes from now on.
    init(_ sockets: [Int32]) throws {
        let ready = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            do throws(SystemError) {
                try take(sockets, ready)
            } catch {
                // Nothing is taken: all queries are lost, which the report says.
                ready.signal()
            }
            ended.signal()
        }
        ready.wait()
    }

    private func take(_ sockets: [Int32], _ ready: DispatchSemaphore) throws(SystemError) {
        let loop = try EventLoop()
        var read: [UInt64] = []
        read.reserveCapacity(1 << 16)
        var message = [UInt8](repeating: 0, count: 1024)
        for socket in sockets {
            try loop.watch(socket, for: .readable) { _ in
                let bytes = recv(socket, &message, message.count, Int32(MSG_DONTWAIT))
                let now = MonotonicClock.nanoseconds
                guard bytes > AnswerReader.firstLabel, message[3] & 0x0f == 0 else { return }
                let label = message[(AnswerReader.firstLabel + 1)...].prefix(Int(message[AnswerReader.firstLabel]))
                if let sent = UInt64(String(decoding: label, as: UTF8.self), radix: 16) { read.append(now - sent) }
            }
        }
        ready.signal()
        while !isStopped.load(ordering: .relaxed) { loop.turn(atMost: 50) }
        latencies.withLock { $0 = read }
    }

    /// Ends it; nanoseconds that each answer took.
    func stop() -> [UInt64] {
        isStopped.store(true, ordering: .relaxed)
        ended.wait()
        return latencies.withLock { $0 }
    }
}
