import BPFEmit
import NetTypes
import Testing

/// Whoever changes host policies may lock himself out: what nobody confirms is given up.
@Suite("the confirmation of host policies")
struct HostConfirmationTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("what np_host says: no time, a time to come, a time that is over")
    func reading() {
        func read(_ until: UInt64) -> HostConfirmation {
            HostConfirmation(mode: .enforce, former: .audit, until: until, now: 100)
        }
        #expect(read(0) == .settled(.enforce))
        #expect(read(101) == .pending(.enforce, former: .audit, until: 101))
        #expect(read(100) == .expired(.enforce, former: .audit))
        #expect([read(0), read(101), read(100)].map(\.inForce) == [.enforce, .enforce, .audit])
    }

    @Test("more enforcement is to be confirmed and falls back to what was before", arguments: [HostMode.off, .audit])
    func more(former: HostMode) {
        var state = HostConfirmation.settled(former)
        let until = 5 + 30 * Self.second
        #expect(
            state.want(.init(.enforce, changesPolicy: true, seconds: 30), now: 5)
                == .begin(.enforce, former: former, until: until))
        #expect(state == .pending(.enforce, former: former, until: until))
        // Asking again does not buy time.
        #expect(state.want(.init(.enforce, changesPolicy: false, seconds: 30), now: 9) == nil)
        #expect(state == .pending(.enforce, former: former, until: until))
        #expect(state.confirm() == .settle(.enforce))
        #expect(state == .settled(.enforce))
    }

    @Test("less enforcement holds at once, whatever waits", arguments: [HostMode.off, .audit])
    func less(wanted: HostMode) {
        for before in [
            HostConfirmation.settled(.enforce), .pending(.enforce, former: .off, until: 9),
            .expired(.enforce, former: .off),
        ] {
            var state = before
            #expect(state.want(.init(wanted, changesPolicy: true, seconds: 30), now: 5) == .settle(wanted))
            #expect(state == .settled(wanted))
            #expect(state.want(.init(wanted, changesPolicy: true, seconds: 30), now: 5) == nil)
        }
    }

    @Test(
        "other policies under enforcement are to be confirmed, and fall back to those before, or where those are not ready to audit",
        arguments: [false, true])
    func policies(hasFormer: Bool) {
        func other(_ isFormer: Bool = false) -> HostConfirmation.Wish {
            .init(.enforce, changesPolicy: true, isFormer: isFormer, hasFormer: hasFormer, seconds: 30)
        }
        let former = hasFormer ? HostMode.enforce : .audit
        var state = HostConfirmation.settled(.enforce)
        #expect(state.want(.init(.enforce, changesPolicy: false, hasFormer: hasFormer, seconds: 30), now: 0) == nil)
        #expect(state.want(other(), now: 0) == .begin(.enforce, former: former, until: 30 * Self.second))
        // A second change while the first one waits: the time begins anew, the way back stays.
        #expect(state.want(other(), now: Self.second) == .begin(.enforce, former: former, until: 31 * Self.second))
        guard hasFormer else { return }
        // Whoever takes the change back need not confirm that.
        let pending = state
        #expect(state.want(other(true), now: 0) == .settle(.enforce))
        state = .expired(.enforce, former: .enforce)
        #expect(state.inForce == .enforce)
        #expect(state.want(other(true), now: 0) == .settle(.enforce))
        // Nobody knows them any more.
        state = pending
        #expect(state.loseFormer() == .begin(.enforce, former: .audit, until: 31 * Self.second))
        #expect(state == .pending(.enforce, former: .audit, until: 31 * Self.second))
        #expect(state.loseFormer() == nil)
        state = .expired(.enforce, former: .enforce)
        #expect(state.loseFormer() == .begin(.enforce, former: .audit, until: 1))
        #expect(state == .expired(.enforce, former: .audit))
        state = .settled(.enforce)
        #expect(state.loseFormer() == nil)
    }

    @Test("what was confirmed last, by how it stands")
    func confirmed() {
        func of(_ confirmation: HostConfirmation) -> UInt64? {
            HostStanding(confirmation: confirmation, fingerprint: 1, formerFingerprint: 2).confirmed
        }
        #expect(of(.settled(.enforce)) == 1)
        #expect(of(.settled(.audit)) == nil && of(.settled(.off)) == nil)
        #expect(of(.pending(.enforce, former: .enforce, until: 9)) == 2)
        #expect(of(.expired(.enforce, former: .enforce)) == 2)
        #expect(of(.pending(.enforce, former: .audit, until: 9)) == nil)
        #expect(of(.expired(.enforce, former: .off)) == nil)
    }

    @Test("what was given up stays so until policies change or somebody tries again; then it is too late to confirm")
    func expired() {
        let gone = HostConfirmation.expired(.enforce, former: .audit)
        var state = gone
        #expect(state.want(.init(.enforce, changesPolicy: false, seconds: 30), now: 7) == nil)
        #expect(state.confirm() == nil)
        #expect(state == gone)
        #expect(
            state.retry(seconds: 60, now: 0) == .begin(.enforce, former: .audit, until: 60 * Self.second))
        state = gone
        #expect(
            state.want(.init(.enforce, changesPolicy: true, seconds: 30), now: 0)
                == .begin(.enforce, former: .audit, until: 30 * Self.second))
    }

    @Test("without a time nothing waits")
    func unasked() {
        var state = HostConfirmation.settled(.off)
        #expect(state.want(.init(.enforce, changesPolicy: true, seconds: 0), now: 7) == .settle(.enforce))
        #expect(state.want(.init(.enforce, changesPolicy: true, seconds: 0), now: 8) == nil)
        #expect(state.confirm() == nil)
        #expect(state.retry(seconds: 9, now: 8) == nil)
        var waiting = HostConfirmation.pending(.enforce, former: .off, until: 9)
        #expect(waiting.want(.init(.enforce, changesPolicy: false, seconds: 0), now: 7) == .settle(.enforce))
    }

    @Test("fail-safes are read as they are written")
    func failsafes() {
        for text in ["ingress:tcp:22", "egress:udp:53-54", "ingress:sctp:1-65535"] {
            #expect(Failsafe(parsing: text)?.description == text)
        }
        for text in [
            "", "tcp:22", "ingress:tcp:", "ingress:tcp:0", "ingress:icmp:8", "in:tcp:22", "ingress:tcp:2-1",
            "ingress:tcp:1-2-3", "ingress:tcp:65536", "ingress:tcp:-1", "ingress:tcp:22:",
        ] {
            #expect(Failsafe(parsing: text) == nil, "\(text)")
        }
        #expect(Failsafe.standard.contains(Failsafe(.ingress, .tcp, PortRange(22))))
        #expect(Failsafe.standard.count <= HostSettings.failsafeLimit)
    }
}
