import BPFEmit
import CNetpoldABI
import Testing

@Suite("Answers of policy programs")
struct PolicyAnswerTests {
    @Test("verdicts have the numbers of the datapath, and no verdict is none of them")
    func verdicts() {
        let pairs: [(PolicyVerdict, np_verdict)] = [
            (.allow, NP_VERDICT_ALLOW), (.deny, NP_VERDICT_DENY), (.l7, NP_VERDICT_L7),
        ]
        for (verdict, number) in pairs { #expect(UInt32(verdict.rawValue) == number.rawValue) }
        #expect(PolicyVerdict(rawValue: UInt8(NP_VERDICT_NONE.rawValue)) == nil)
    }

    @Test("decisions have the numbers of the datapath, all of them")
    func decisions() {
        let pairs: [(PolicyDecision, np_decision)] = [
            (.rule, NP_DECISION_RULE), (.defaultDeny, NP_DECISION_DEFAULT_DENY),
            (.defaultAllow, NP_DECISION_DEFAULT_ALLOW), (.host, NP_DECISION_HOST),
        ]
        #expect(pairs.map(\.0) == PolicyDecision.allCases)
        for (decision, number) in pairs { #expect(UInt32(decision.rawValue) == number.rawValue) }
    }

    @Test("an answer reads as verdict and bit, or verdict and decision")
    func text() {
        #expect(PolicyAnswer(.allow, .rule, bit: 3).description == "allow by bit 3")
        #expect(PolicyAnswer(.deny, .defaultDeny).description == "deny by defaultDeny")
    }
}
