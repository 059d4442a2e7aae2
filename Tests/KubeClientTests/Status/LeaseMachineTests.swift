import Testing

@testable import KubeObjects

/// Who writes statuses.
struct LeaseMachineTests {
    private func record(_ holder: String, _ version: String, seconds: Int64 = 60) -> LeaseMachine.Record {
        LeaseMachine.Record(holder: holder, version: version, transitions: 3, seconds: seconds)
    }

    @Test(
        "a lease that is not there is made, one's own renewed, another's left until it was seen unchanged for its time")
    func actions() {
        var machine = LeaseMachine(identity: "a", duration: .seconds(60))
        #expect(machine.look(nil, at: .zero) == .create)
        #expect(machine.look(record("a", "1"), at: .zero) == .write(version: "1", transitions: 3))
        #expect(machine.look(record("", "1"), at: .zero) == .write(version: "1", transitions: 4))
        #expect(machine.look(record("b", "2"), at: .seconds(10)) == .wait)
        #expect(machine.look(record("b", "2"), at: .seconds(70)) == .wait)
        #expect(machine.look(record("b", "3"), at: .seconds(71)) == .wait, "it was renewed")
        #expect(machine.look(record("b", "3"), at: .seconds(131)) == .wait)
        #expect(machine.look(record("b", "3"), at: .seconds(132)) == .write(version: "3", transitions: 4))
        // One that its holder wants to last longer lasts longer; not for ever.
        #expect(machine.look(record("c", "4", seconds: .max), at: .seconds(200)) == .wait)
        #expect(machine.look(record("c", "4", seconds: .max), at: .seconds(3000)) == .wait)
        #expect(
            machine.look(record("c", "4", seconds: .max), at: .seconds(3801)) == .write(version: "4", transitions: 4))
    }

    @Test("whoever cannot renew stops before anybody else may begin; whoever sees another holder stops at once")
    func holding() {
        var machine = LeaseMachine(identity: "a", duration: .seconds(60))
        #expect(!machine.holds(at: .zero))
        machine.wrote(since: .seconds(5))
        #expect(machine.holds(at: .seconds(44)))
        #expect(!machine.holds(at: .seconds(46)))
        machine.wrote(since: .seconds(50))
        _ = machine.look(record("b", "9"), at: .seconds(51))
        #expect(!machine.holds(at: .seconds(51)))
    }
}
