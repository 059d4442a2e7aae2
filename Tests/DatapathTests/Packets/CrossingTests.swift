import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

/// Packets past the stack, in both address families: what leaves, and which of them need no second program.
@Suite("Packets past the stack", .needsRoot)
struct CrossingTests {
    private typealias Pod = PacketWorld.Pod

    /// Of both directions at both pods, so that entries decide at both.
    private func isolate(_ harness: PacketHarness) throws {
        try harness.set(.only(.init(identity: PacketWorld.identityB)), .egress, of: .a)
        try harness.set(.closed, .ingress, of: .a)
        try harness.set(.only(.init(identity: PacketWorld.identityA)), .ingress, of: .b)
        try harness.set(.closed, .egress, of: .b)
    }

    private func frame(_ isIPv6: Bool, from pod: Pod, _ transport: [UInt8], _ protocol: L4Protocol) -> [UInt8] {
        let (source, destination): (UInt32, UInt32) = pod == .a ? (1, 2) : (2, 1)
        let packet = IPPacket(
            PacketWorld.address(source, ipv6: isIPv6), PacketWorld.address(destination, ipv6: isIPv6), `protocol`,
            transport)
        // For the interface of test runs itself.
        return [UInt8](repeating: 0, count: 6) + packet.summedFrame.dropFirst(6)
    }

    private func setFast(_ frame: [UInt8], from pod: Pod, _ harness: PacketHarness) throws {
        try harness.setPath(try OracleParser.parse(frame: frame), from: pod, isFast: true)
    }

    /// As the stack would have forwarded it, with the addresses of `resetPaths`.
    private func forwarded(_ frame: [UInt8], to pod: Pod) -> [UInt8] {
        var frame = frame
        frame.replaceSubrange(0..<12, with: [2, 0, 0, 0, 0, UInt8(pod.rawValue), 2, 1, 0, 0, 0, 1])
        guard frame[14] >> 4 == 4 else {
            frame[21] -= 1
            return frame
        }
        frame[22] -= 1
        frame.replaceSubrange(24..<26, with: [0, 0])
        var sum = stride(from: 14, to: 34, by: 2).reduce(UInt32(0)) {
            $0 + UInt32(frame[$1]) << 8 + UInt32(frame[$1 + 1])
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        frame.replaceSubrange(24..<26, with: UInt16(truncatingIfNeeded: ~sum).bigEndianBytes)
        return frame
    }

    private static let redirected = Int32(NP_ACTION_REDIRECT.rawValue)

    @Test(
        "of datagrams the first is a question to both policies, and all others leave in one program",
        arguments: [false, true])
    func datagrams(isIPv6: Bool) throws {
        try PacketHarness.with(paths: true) { harness throws in
            try isolate(harness)
            let request = frame(isIPv6, from: .a, Transport.udp(40_000, 80, payload: [1, 2, 3]), .udp)
            let answer = frame(isIPv6, from: .b, Transport.udp(80, 40_000, payload: [4]), .udp)
            try setFast(request, from: .a, harness)
            let first = try harness.cross(request, from: .a)
            #expect(first.returned == Self.redirected)
            #expect(first.reasons == [NP_REASON_ALLOWED.rawValue, NP_REASON_ALLOWED.rawValue])
            #expect(first.frame == forwarded(request, to: .b))
            // By the first answer the asker's entry learns where its packets come in.
            let reply = [NP_REASON_REPLY.rawValue, NP_REASON_REPLY.rawValue]
            #expect(try harness.cross(answer, from: .b).reasons == reply)
            // Whoever needs the step for others goes by the stack from here on.
            try harness.removeStep(NP_STEP_FAST_PATH)
            let second = try harness.cross(request, from: .a)
            #expect(second.returned == Self.redirected)
            #expect(second.reasons == [NP_REASON_ESTABLISHED.rawValue, NP_REASON_ESTABLISHED.rawValue])
            #expect(second.frame == forwarded(request, to: .b))
            let back = try harness.cross(answer, from: .b)
            #expect(back.returned == Self.redirected)
            #expect(back.reasons == reply)
            #expect(back.frame == forwarded(answer, to: .a))
        }
    }

    @Test("a connection's packets leave in one program, its FIN too, and its SYN never", arguments: [false, true])
    func connection(isIPv6: Bool) throws {
        try PacketHarness.with(paths: true) { harness throws in
            try isolate(harness)
            func packet(from pod: Pod, _ flags: UInt8) -> [UInt8] {
                let ports: (UInt16, UInt16) = pod == .a ? (40_000, 80) : (80, 40_000)
                return frame(isIPv6, from: pod, Transport.tcp(ports.0, ports.1, flags: flags), .tcp)
            }
            let syn = packet(from: .a, Transport.TCPFlags.syn)
            try setFast(syn, from: .a, harness)
            let first = try harness.cross(syn, from: .a)
            #expect(first.returned == NP_ACTION_NEXT.rawValue && first.reasons == [NP_REASON_ALLOWED.rawValue])
            _ = try harness.send(syn, .ingress, of: .b)
            // The SYN has taken down whose frames it came in, which were the test's: back to those of `forwarded`.
            try harness.resetPaths()
            try setFast(syn, from: .a, harness)
            let established = [NP_REASON_ESTABLISHED.rawValue, NP_REASON_ESTABLISHED.rawValue]
            let reply = [NP_REASON_REPLY.rawValue, NP_REASON_REPLY.rawValue]
            for (pod, flags, reasons) in [
                (Pod.b, Transport.TCPFlags.syn | Transport.TCPFlags.ack, reply),
                (.a, Transport.TCPFlags.ack, established),
                (.a, Transport.TCPFlags.fin | Transport.TCPFlags.ack, established),
                (.b, Transport.TCPFlags.fin | Transport.TCPFlags.ack, reply), (.a, Transport.TCPFlags.ack, established),
            ] {
                let sent = packet(from: pod, flags)
                let result = try harness.cross(sent, from: pod)
                #expect(result.returned == Self.redirected && result.reasons == reasons, "\(flags) of \(pod)")
                #expect(result.frame == forwarded(sent, to: pod == .a ? .b : .a))
                // By it the asker's entry learns where its packets come in; what follows needs the step no more.
                if flags & Transport.TCPFlags.syn != 0 { try harness.removeStep(NP_STEP_FAST_PATH) }
            }
        }
    }

    @Test("what the receiver's entry does not let pass at once is a question to its policy", arguments: [false, true])
    func asked(isIPv6: Bool) throws {
        try PacketHarness.with(paths: true) { harness throws in
            try isolate(harness)
            let request = frame(isIPv6, from: .a, Transport.udp(40_000, 80, payload: [1]), .udp)
            try setFast(request, from: .a, harness)
            #expect(try harness.cross(request, from: .a).returned == Self.redirected)
            try harness.bump(.b)
            let renewed = try harness.cross(request, from: .a)
            #expect(renewed.returned == Self.redirected)
            #expect(renewed.reasons == [NP_REASON_REVALIDATED.rawValue, NP_REASON_ESTABLISHED.rawValue].sorted())
            try harness.set(.closed, .ingress, of: .b)
            let revoked = try harness.cross(request, from: .a)
            #expect(revoked.returned == NP_ACTION_SHOT.rawValue)
            #expect(revoked.reasons == [NP_REASON_ESTABLISHED.rawValue, NP_DROP_POLICY_DEFAULT.rawValue].sorted())
            // Not ready: by the stack, where its own hook drops.
            try harness.setReady(false, .b)
            let gone = try harness.cross(request, from: .a)
            #expect(gone.returned == NP_ACTION_NEXT.rawValue && gone.reasons == [NP_REASON_ESTABLISHED.rawValue])
        }
    }

    @Test("a datagram of such a flow that has come by the stack ends it: somebody translates another one with its ends")
    func translated() throws {
        try PacketHarness.with(paths: true) { harness throws in
            try isolate(harness)
            let request = frame(false, from: .a, Transport.udp(40_000, 80, payload: [1, 2, 3]), .udp)
            let answer = frame(false, from: .b, Transport.udp(80, 40_000, payload: [4]), .udp)
            try setFast(request, from: .a, harness)
            #expect(try harness.cross(request, from: .a).returned == Self.redirected)
            #expect(
                try harness.send(request, .ingress, of: .b, by: PacketWorld.links(of: .a)[0]) == NP_REASON_ESTABLISHED)
            #expect(try harness.cross(answer, from: .b).returned == NP_ACTION_NEXT.rawValue)
        }
    }

    @Test("a hop limit of one goes by the stack, which answers", arguments: [false, true])
    func lastHop(isIPv6: Bool) throws {
        try PacketHarness.with(paths: true) { harness throws in
            try isolate(harness)
            let packet = IPPacket(
                PacketWorld.address(1, ipv6: isIPv6), PacketWorld.address(2, ipv6: isIPv6), .udp,
                Transport.udp(40_000, 80))
            for limit in [64, 64, 1, 2] as [UInt8] {
                let frame =
                    [UInt8](repeating: 0, count: 6) + packet.with { $0.hopLimit = limit }.summedFrame.dropFirst(6)
                try setFast(frame, from: .a, harness)
                let result = try harness.cross(frame, from: .a)
                #expect(result.returned == (limit == 1 ? NP_ACTION_NEXT.rawValue : Self.redirected))
                if limit == 2 { #expect(result.frame == forwarded(frame, to: .b)) }
            }
        }
    }
}
