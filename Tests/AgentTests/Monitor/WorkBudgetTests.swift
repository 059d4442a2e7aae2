import Testing

@testable import Agent

@Suite("a share of the time") struct WorkBudgetTests {
    @Test("what was overspent is waited for, and little is saved up")
    func budget() {
        let start = ContinuousClock.now
        var budget = WorkBudget(share: 0.1, now: start)
        #expect(budget.isOpen)
        budget.spend(WorkBudget.limit + .milliseconds(100))
        #expect(!budget.isOpen)
        budget.earn(now: start + .milliseconds(900))
        #expect(!budget.isOpen)
        budget.earn(now: start + .milliseconds(1100))
        #expect(budget.isOpen)
        budget.earn(now: start + .seconds(3600))
        budget.spend(WorkBudget.limit)
        #expect(!budget.isOpen)
    }
}
