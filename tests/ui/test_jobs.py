"""Is a job shown as it goes, cancelled, done again and deleted, and is its size said before the worker's environment is made?"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab


def test_the_environment_that_cannot_be_made_says_why(page: Page, tab: Tab):
    page.goto("/#jobs")
    worker = page.get_by_role("region", name="Worker environment")
    expect(worker).to_contain_text("Not made yet")
    worker.get_by_label("Build of torch").select_option("cpu")
    worker.get_by_role("button", name="Make it", exact=True).click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("It takes at least 3.0 GB on the disk")
    question.get_by_role("button", name="Make it").click()

    job = page.get_by_role("region", name="Make the worker's environment")
    expect(job.get_by_role("log")).to_contain_text("Making the environment")
    expect(worker.get_by_role("button", name="Make it", exact=True)).to_be_disabled()
    page.reload()
    expect(job.get_by_role("log")).to_contain_text("Making the environment")
    expect(job.get_by_role("alert")).to_contain_text("The package index cannot be reached")
    expect(job).to_contain_text("Failed")
    expect(worker).to_contain_text("Only half made")

    worker.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(worker).to_contain_text("Not made yet")

    page.locator('.atelier-job-line[data-state="failed"]').click()
    job.get_by_role("button", name="Once more").click()
    running = page.locator('.atelier-job-line[data-state="running"], .atelier-job-line[data-state="queued"]')
    expect(running).to_have_count(1)
    running.click()
    job.get_by_role("button", name="Cancel").click()
    expect(job.get_by_role("status").first).to_contain_text("Cancelled")
    for left in (2, 1, 0):
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.locator(".atelier-job-line")).to_have_count(left)
    expect(page.get_by_text("No job has run yet.")).to_be_visible()
    assert tab.get("jobs") == []
